require ["encoded-character"];
if header :contains "subject" "Gr${unicode:fc}${UNICODE:000df}e" {
  discard;
}
