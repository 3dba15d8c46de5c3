require ["replace","editheader"]; addheader "X-A" "1"; replace "text"; addheader "X-B" "2"; deleteheader "X-A";
