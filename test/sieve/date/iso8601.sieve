require ["date"];
if date :originalzone "date" "iso8601" "2026-03-04T06:00:00+01:00" {
  discard;
}
