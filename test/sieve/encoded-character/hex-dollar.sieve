require ["encoded-character"];
if header :contains "subject" "${hex:24 20}100" {
  discard;
}
