require "envelope"; if envelope "form" "x" { keep; }
