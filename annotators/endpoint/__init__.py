"""Requests to a chat endpoint and the replies: sent, kept, counted, limited. Nothing here knows what is asked."""
