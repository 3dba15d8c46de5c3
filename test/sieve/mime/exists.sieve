require ["mime"];
if exists :mime :anychild "x-part" {
  discard;
}
