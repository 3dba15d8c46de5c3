require "regex"; if header :regex "a" "((b{90}){90}){90}" { keep; }
