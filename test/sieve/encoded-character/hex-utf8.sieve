require ["encoded-character"];
if header :contains "subject" "Gr${hex:c3 bc}" {
  discard;
}
