require ["variables","fileinto"];
set "a" "x"; set "d" "$"; set "b" "${d}{a}"; fileinto "${b}";
