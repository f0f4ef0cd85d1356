from polylane import namespace
ns = namespace()
