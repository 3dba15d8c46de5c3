require ["replace","body"]; replace "other words"; if body :contains "other words" { discard; }
