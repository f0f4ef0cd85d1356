"""Tests of docs/ and README.md: what they say is what there is, and what they show works."""
