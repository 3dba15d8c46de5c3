require "date"; if date :zone "+0100" :originalzone "date" "hour" "12" { keep; }
