require ["enclose", "copy", "editheader"];
addheader "X-Before" "yes";
enclose "text";
redirect :copy "b@example.net";
discard;
