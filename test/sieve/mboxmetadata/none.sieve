require ["mboxmetadata"];
if metadata :contains "A" "/private/other" "" {
  discard;
}
