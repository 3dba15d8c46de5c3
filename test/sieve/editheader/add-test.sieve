require "editheader";
addheader "X-New" "Größe"; if header "x-new" "Größe" { discard; }
