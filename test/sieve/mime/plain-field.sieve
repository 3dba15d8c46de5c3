require ["mime"];
if header :mime :anychild "subject" "the inner one" {
  discard;
}
