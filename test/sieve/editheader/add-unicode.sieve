require "editheader";
addheader "X-New" "Größe";
