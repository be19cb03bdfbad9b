// The windows of the page: each message goes to its place, what is typed or pressed to the server.

const windows = [...document.querySelectorAll(".window")];
const lost = document.getElementById("lost");

/** The message as an element; the server has escaped all that came from people. */
function element(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

/** Put a message where it belongs in one window: in place of its earlier form, or at the end. */
function place(view, post) {
  const panel = view.querySelector(`[data-channel="${CSS.escape(post.channel)}"]`);
  if (!panel) return;
  const log = panel.querySelector(".log");
  const before = log.querySelector(`[data-ref="${CSS.escape(post.ref)}"]`);
  const fresh = element(post.html);
  fresh.classList.toggle("own", post.author === view.dataset.person);
  if (before) {
    if (before.innerHTML !== fresh.innerHTML) before.replaceWith(fresh);
    return;
  }
  log.append(fresh);
  panel.querySelector(".empty").hidden = true;
  if (panel.hidden) markUnread(view, post.channel);
  panel.scrollTop = panel.scrollHeight;
}

function tab(view, channel) {
  return view.querySelector(`[data-opens="${CSS.escape(channel)}"]`);
}

function markUnread(view, channel) {
  const mark = tab(view, channel).querySelector(".unread");
  const count = mark.querySelector("[data-count]");
  count.textContent = Number(count.textContent) + 1;
  mark.hidden = false;
}

function show(view, channel) {
  for (const other of view.querySelectorAll("[role=tab]")) {
    const chosen = other.dataset.opens === channel;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
  }
  for (const panel of view.querySelectorAll("[role=tabpanel]")) {
    panel.hidden = panel.dataset.channel !== channel;
    panel.scrollTop = panel.scrollHeight;
  }
  const mark = tab(view, channel).querySelector(".unread");
  mark.hidden = true;
  mark.querySelector("[data-count]").textContent = "";
}

async function send(view, path, body) {
  const refused = view.querySelector(".refused");
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ person: view.dataset.person, ...body }),
  };
  const answer = await fetch(path, options).catch(() => null);
  refused.textContent = answer && answer.ok ? "" : refused.dataset.text;
}

function bind(view) {
  const input = view.querySelector("input");
  view.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    const channel = view.querySelector("[role=tabpanel]:not([hidden])").dataset.channel;
    send(view, "/say", { channel, text });
  });
  view.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.opens) show(view, button.dataset.opens);
    if (button.dataset.press) send(view, "/press", { ref: button.dataset.on, key: button.dataset.press });
    if (button.dataset.try) {
      input.value = button.dataset.try;
      input.focus();
    }
  });
  view.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = view.querySelector("[role=tab][aria-selected=false]");
    show(view, other.dataset.opens);
    other.focus();
  });
}

windows.forEach(bind);
const events = new EventSource("/events");
events.onmessage = (event) => {
  const post = JSON.parse(event.data);
  for (const view of windows) place(view, post);
};
events.onopen = () => (lost.hidden = true);
events.onerror = () => (lost.hidden = false);
