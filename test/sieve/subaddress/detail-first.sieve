require ["subaddress"];
if address :detail "cc" "lists+more" {
  discard;
}
