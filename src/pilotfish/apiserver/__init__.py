"""The cluster's HTTP face: reads requests, writes answers, decides nothing itself."""
