require ["variables","fileinto"];
set "a" "x"; fileinto "${} ${a ${a}} ${1a} ${.} $a {a}";
