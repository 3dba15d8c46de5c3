require ["editheader","variables"]; set "n" "a b";
addheader "${n}" "v";
