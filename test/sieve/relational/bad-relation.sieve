require "relational"; if header :value "more" "a" "b" { keep; }
