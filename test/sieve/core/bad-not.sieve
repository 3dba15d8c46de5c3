if not (true, true) { keep; }
