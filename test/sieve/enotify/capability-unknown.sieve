require ["enotify"];
if notify_method_capability :matches "mailto:me@example.net" "Colour" "*" {
  discard;
}
