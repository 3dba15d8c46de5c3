require "envelope"; if envelope "bymode" "n" { keep; }
