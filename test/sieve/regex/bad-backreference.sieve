require "regex"; if header :regex "a" "(b)\\1" { keep; }
