"""Private views of a folder, what was written in them, and how it comes into the real folder.

overlay.py      a view at the folder's own path, of namespaces.py and pids.py
copies.py       a copy at another path, where views are refused
changes.py      what was written
snapshot.py     what a tree holds, to be compared
commit.py       brings chosen changes into the real folder, by copying.py
"""
