"""A headless Chromium, driven by the DevTools protocol: https://chromedevtools.github.io/devtools-protocol/."""
import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

DEADLINE = 60  # seconds for anything


def program():
    """The browser's path, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    return None


class WebSocket:
    """RFC 6455, as much of it as the protocol needs."""

    def __init__(self, host, port, path):
        self.socket = socket.create_connection((host, port), timeout=DEADLINE)
        self.seen = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.seen:
            self.more()
        head, self.seen = self.seen.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise OSError(head.decode())

    def more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise OSError("the browser has gone")
        self.seen += data

    def take(self, n):
        while len(self.seen) < n:
            self.more()
        data, self.seen = self.seen[:n], self.seen[n:]
        return data

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        n = len(data)
        size = struct.pack("!B", 128 | n) if n < 126 else struct.pack("!BH", 254, n) if n < 65536 else struct.pack("!BQ", 255, n)
        self.socket.sendall(b"\x81" + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        text = b""
        while True:
            first, second = self.take(2)
            n = second & 127
            n = struct.unpack("!H", self.take(2))[0] if n == 126 else struct.unpack("!Q", self.take(8))[0] if n == 127 else n
            data = self.take(n)
            if first & 15 <= 2:
                text += data
                if first & 128:
                    return text.decode()


class Browser:
    """One page.  problems: what the console, scripts and the page's policy complained about."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="choir-browser-")
        self.count, self.problems, self.loaded, self.requests = 0, [], False, []
        self.process = subprocess.Popen(
            [program(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
             "--disable-background-networking", "--hide-scrollbars", "--remote-debugging-port=0", "--user-data-dir=" + self.folder,
             "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.connect()
        except BaseException:
            self.close()
            raise

    def connect(self):
        file, end = os.path.join(self.folder, "DevToolsActivePort"), time.monotonic() + DEADLINE
        targets = []
        while not targets:
            if time.monotonic() > end or self.process.poll() is not None:
                raise OSError("the browser does not start")
            time.sleep(0.05)
            if os.path.exists(file) and open(file).read().count("\n") > 0:
                self.port = int(open(file).readline())
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json", timeout=DEADLINE) as answer:
                    targets = [t for t in json.load(answer) if t["type"] == "page"]
        self.socket = WebSocket("127.0.0.1", self.port, "/" + targets[0]["webSocketDebuggerUrl"].split("/", 3)[3])
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def note(self, message):
        method, p = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.problems.append(p["exceptionDetails"].get("exception", {}).get("description", p["exceptionDetails"]["text"]))
        elif method == "Log.entryAdded" and p["entry"]["level"] in ("error", "warning"):
            self.problems.append(p["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and p["type"] in ("error", "warning", "assert"):
            self.problems.append(str(p["args"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(p["request"]["url"])
        elif method == "Page.loadEventFired":
            self.loaded = True

    def call(self, method, **params):
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.receive())
            if message.get("id") == self.count:
                if "error" in message:
                    raise OSError(f"{method}: {message['error']}")
                return message["result"]
            self.note(message)

    def size(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def open(self, path, fragment=""):
        self.loaded = False
        self.call("Page.navigate", url="about:blank")
        self.wait("location.href === 'about:blank'")
        self.call("Page.navigate", url="file://" + os.path.abspath(path) + fragment)
        self.wait("document.documentElement?.dataset.ready === 'yes'")

    def value(self, script):
        """What the expression gives, after the next frame is drawn."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise ValueError(script + ": " + str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def drawn(self):
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def wait(self, condition):
        end = time.monotonic() + DEADLINE
        while not self.value(condition):
            if time.monotonic() > end:
                raise OSError("it does not come true: " + condition + str(self.problems))
            time.sleep(0.02)

    def key(self, name, shift=False):
        codes = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Escape": 27, "Home": 36, "End": 35, "Tab": 9}
        params = {"key": name, "modifiers": 8 if shift else 0, "windowsVirtualKeyCode": codes.get(name, ord(name[0].upper()))}
        if len(name) == 1 or name == "Enter":
            params["text"] = "\r" if name == "Enter" else name
        self.call("Input.dispatchKeyEvent", type="keyDown", **params)
        params.pop("text", None)
        self.call("Input.dispatchKeyEvent", type="keyUp", **params)
        self.drawn()

    def place(self, selector):
        """The middle of an element, scrolled into sight."""
        return self.value(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}}); "
                          "const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; })()")

    def mouse(self, kind, x, y, shift=False):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, modifiers=8 if shift else 0,
                  button="none" if kind == "mouseMoved" else "left", clickCount=0 if kind == "mouseMoved" else 1)

    def click(self, selector, shift=False):
        x, y = self.place(selector)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, shift)
        self.drawn()

    def picture(self, path):
        self.drawn()
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=DEADLINE)
        shutil.rmtree(self.folder, ignore_errors=True)
