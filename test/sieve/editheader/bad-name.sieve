require "editheader";
addheader "a b" "v";
