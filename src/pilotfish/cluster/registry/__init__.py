"""Requests on stored objects, from the decoded request to the store and back to an answer."""
