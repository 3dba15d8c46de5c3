require ["enotify"];
if valid_notify_method "mailto:me@example.net" {
  discard;
}
