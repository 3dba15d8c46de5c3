require "mime"; if header :mime :type :subtype "a" "b" { keep; }
