"""Carriers over ZeroMQ: tcp with CURVE between hosts, ipc within one.

A Station (a party, the provider) has an endpoint: one ROUTER takes everything that comes in, drained by one thread, and
one DEALER for each peer is used under a lock by whoever sends. A Visitor (a client) has none: one thread owns its
DEALERs, and what a Station sends to a visitor goes back over the ROUTER.

Who sent a frame is never taken from the frame. Over tcp it is the owner of the public key that CURVE authenticated: the
ZAP handler lets in known keys only, and attaches the name. Over ipc, where the socket's directory lets in one user,
it is the name under which the peer connected.
"""
