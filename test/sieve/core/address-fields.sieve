if address :contains ["subject", "message-id", "in-reply-to"] "" { discard; }
