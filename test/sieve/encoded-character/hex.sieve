require ["encoded-character"];
if header :contains "subject" "$${hex: 20 }100" {
  discard;
}
