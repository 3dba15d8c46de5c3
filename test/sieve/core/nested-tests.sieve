if allof (anyof (false, not false), not allof (true, false)) { discard; }
