// One window a person and queue works; the newest one takes over, so that two never act on the same images.
export class Windows {
  constructor({ name, yielded }) {
    this.channel = new BroadcastChannel(name);
    this.channel.addEventListener("message", yielded);
  }

  take() {
    this.channel.postMessage("mine");
  }
}
