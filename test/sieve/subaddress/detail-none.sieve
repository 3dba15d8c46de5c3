require ["subaddress"];
if address :detail :contains "from" "" {
  discard;
}
