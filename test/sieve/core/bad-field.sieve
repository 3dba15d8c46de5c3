if header :contains ["Subject:", "", "a b"] "" { discard; }
