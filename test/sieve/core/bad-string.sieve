keep;
redirect "abc;
keep;
