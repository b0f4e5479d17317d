"""What objects must look like. Pure: every function maps an object to a list of field errors."""
