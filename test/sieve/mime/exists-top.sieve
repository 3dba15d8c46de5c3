require ["mime"];
if exists :mime "x-part" {
  discard;
}
