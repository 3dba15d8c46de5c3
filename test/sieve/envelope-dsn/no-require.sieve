require "envelope"; if envelope "ret" "full" { keep; }
