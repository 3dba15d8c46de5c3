require ["environment"];
if environment :matches "remote-ip" "192.0.2.*" {
  discard;
}
