redirect 5;
