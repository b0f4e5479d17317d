"""The process of `pilotfish cluster`: what gives the pure cluster a clock, sockets and files."""
