require ["spamtest"];
if spamtest "0" {
  discard;
}
