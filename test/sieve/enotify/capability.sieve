require ["enotify"];
if notify_method_capability "mailto:me@example.net" "Online" "maybe" {
  discard;
}
