if anyof (false, false, false, false, false, false) { discard; }
discard;
