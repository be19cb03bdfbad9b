// Enters by itself: listens until pressing again is worth it, and presses.
"use strict";

(() => {
  const form = document.getElementById("again");
  let pause = 3000;

  function enter() {
    document.title = form.dataset.ready;
    form.requestSubmit();
  }

  function listen() {
    const events = new EventSource(form.dataset.live);
    events.addEventListener("open", () => { pause = 3000; });
    events.addEventListener("ready", () => { events.close(); enter(); });
    events.addEventListener("error", () => {
      // A lost connection comes back by itself; after a refusal (the bot restarts) we do it.
      if (events.readyState !== EventSource.CLOSED) return;
      setTimeout(listen, pause);
      pause = Math.min(2 * pause, 60000);
    });
  }

  // The rest of this page is for browsers without script; one open connection is enough.
  window.stop();
  document.getElementById("by-hand").hidden = true;
  document.getElementById("by-itself").hidden = false;
  listen();
})();
