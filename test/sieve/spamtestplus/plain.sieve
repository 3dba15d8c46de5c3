require ["spamtestplus"];
if spamtest "7" {
  discard;
}
