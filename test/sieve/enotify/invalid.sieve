require ["enotify"];
if valid_notify_method ["mailto:me@example.net","xmpp:me@example.net"] {
  discard;
}
